-- KEYS[1] is session:{id}:owner. Its tag, the whole name in braces, keeps everything else of the
-- session in the same hash slot.
local tag = '{' .. KEYS[1] .. '}'
local SLACK = 30

local function alive()
  return redis.call('EXISTS', KEYS[1]) == 1
end

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- What rings mcp:* is for operators to see: nothing in the server hears it.
local function session()
  return string.match(KEYS[1], '^session:(.+):owner$')
end

-- Starts the session's life anew. What belongs to it never dies before it.
local function renew(ttl)
  redis.call('EXPIRE', KEYS[1], ttl)
  for _, name in ipairs({':state', ':subscriptions', ':stream', ':running', ':ended'}) do
    redis.call('EXPIRE', tag .. name, ttl + SLACK)
  end
  for _, call in ipairs(redis.call('HKEYS', tag .. ':running')) do
    redis.call('EXPIRE', tag .. ':call:' .. call, ttl + SLACK)
    redis.call('EXPIRE', tag .. ':log:' .. call, ttl + SLACK)
  end
end

-- Takes a call and its log away; its bytes no longer count.
local function forget(call, bytes)
  redis.call('DEL', tag .. ':call:' .. call, tag .. ':log:' .. call)
  if bytes > 0 then
    redis.call('HINCRBY', tag .. ':state', 'log_bytes', -bytes)
  end
end

-- What :ended lists is the call's name and the bytes of its log.
local function forget_listed(listed)
  local call, bytes = string.match(listed, '^(.-):(%d+)$')
  forget(call, tonumber(bytes))
end

local function forget_ended_before(time)
  local old = redis.call('ZRANGEBYSCORE', tag .. ':ended', '-inf', time, 'LIMIT', 0, 64)
  for _, listed in ipairs(old) do
    forget_listed(listed)
    redis.call('ZREM', tag .. ':ended', listed)
  end
end
