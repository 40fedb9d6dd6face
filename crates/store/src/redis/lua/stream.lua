-- What the scripts of the standalone stream share. An event's id is its position and the time it
-- came: XADD key position-time.
local state, log = tag .. ':state', tag .. ':stream'

local function numbers(...)
  local read = redis.call('HMGET', state, ...)
  for index = 1, #read do
    read[index] = tonumber(read[index] or 0)
  end
  return unpack(read)
end

local function position(event)
  return tonumber(string.match(event[1], '^%d+'))
end

local function oldest()
  return redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
end

local function drop(event, passed)
  redis.call('XDEL', log, event[1])
  redis.call('HINCRBY', state, 'stream_bytes', -#event[2][2])
  if position(event) > passed then
    redis.call('HSET', state, 'dropped', position(event))
  end
end

-- Adds an event, if there is room or room can be made.
local function add(data, most_events, most_bytes, ttl)
  most_events, most_bytes = tonumber(most_events), tonumber(most_bytes)
  if #data > most_bytes then
    return false
  end
  local answers = redis.call('HGET', state, 'transport') == 'http+sse'
  local bytes, passed, pushed = numbers('stream_bytes', 'passed', 'pushed')
  while redis.call('XLEN', log) >= most_events or bytes + #data > most_bytes do
    local first = oldest()
    if answers and position(first) > passed then
      return false
    end
    drop(first, passed)
    bytes = bytes - #first[2][2]
  end
  pushed = pushed + 1
  redis.call('XADD', log, string.format('%d-%d', pushed, now()), 'data', data)
  redis.call('HSET', state, 'pushed', pushed, 'stream_bytes', bytes + #data)
  redis.call('EXPIRE', log, tonumber(ttl) + SLACK)
  redis.call('PUBLISH', 'mcp:shttp:toclient:' .. session() .. ':__GET_stream', 's.' .. pushed)
  return true
end

-- Adds an event, or notes that it is missing. Says which.
local function push(data, most_events, most_bytes, ttl)
  local added = add(data, most_events, most_bytes, ttl)
  if not added then
    redis.call('HSET', state, 'dropped', redis.call('HINCRBY', state, 'pushed', 1))
  end
  return added
end

-- Ends a call with what it says last, empty for nothing. Says what became of it, and who holds.
local function end_said(call, data, most_events, most_bytes, ttl)
  if data ~= '' and not add(data, most_events, most_bytes, ttl) then
    return {'full'}
  end
  redis.call('HDEL', tag .. ':running', call)
  forget(call, 0)
  renew(tonumber(ttl))
  return {'kept', redis.call('HGET', state, 'holder') or ''}
end

local function pass(upto, passed, pushed)
  local further = math.min(tonumber(upto), pushed)
  if further > passed then
    redis.call('HSET', state, 'passed', further)
    return further
  end
  return passed
end
