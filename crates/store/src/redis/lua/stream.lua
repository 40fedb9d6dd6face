-- What the scripts of the standalone stream share. An event's id is its position and the time it
-- came: XADD key position-time.
local state, log = tag .. ':state', tag .. ':stream'

local function number(field)
  return tonumber(redis.call('HGET', state, field) or 0)
end

local function position(event)
  return tonumber(string.match(event[1], '^%d+'))
end

local function oldest()
  return redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
end

local function drop(event)
  redis.call('XDEL', log, event[1])
  redis.call('HINCRBY', state, 'stream_bytes', -#event[2][2])
  if position(event) > number('passed') then
    redis.call('HSET', state, 'dropped', position(event))
  end
end

-- A full log drops its oldest events.
local function add(data, most_events, most_bytes, ttl)
  local pushed = redis.call('HINCRBY', state, 'pushed', 1)
  redis.call('XADD', log, string.format('%d-%d', pushed, now()), 'data', data)
  local bytes = redis.call('HINCRBY', state, 'stream_bytes', #data)
  while redis.call('XLEN', log) > tonumber(most_events) or bytes > tonumber(most_bytes) do
    drop(oldest())
    bytes = number('stream_bytes')
  end
  redis.call('EXPIRE', log, tonumber(ttl) + SLACK)
end

local function pass(upto)
  local passed = math.max(number('passed'), math.min(tonumber(upto), number('pushed')))
  redis.call('HSET', state, 'passed', passed)
  return passed
end
