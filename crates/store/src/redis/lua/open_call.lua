-- ARGV: call, request (empty for none), instance, age in ms, limit, ttl, retention in ms,
-- how much earlier a cancellation may come in ms, last words (empty for none).
if not alive() then
  return 'gone'
end
local call, request = ARGV[1], ARGV[2]
local time, ttl = now(), tonumber(ARGV[6])
forget_ended_before(time - tonumber(ARGV[7]))
local key = tag .. ':call:' .. call
local running = tag .. ':running'
local known = redis.call('HMGET', key, 'instance', 'cancelled')
local cancelled = known[2]
if not known[1] then
  if redis.call('HLEN', running) >= tonumber(ARGV[5]) then
    return 'full'
  end
  redis.call('HSET', key, 'instance', ARGV[3], 'seq', 0, 'events', 0, 'bytes', 0,
    'request', request)
  if ARGV[9] ~= '' then
    redis.call('HSET', key, 'last_words', ARGV[9])
  end
  redis.call('HSET', running, call, request)
end
if request ~= '' then
  local marked = redis.call('ZSCORE', tag .. ':cancelled', request)
  if marked then
    redis.call('ZREM', tag .. ':cancelled', request)
    if time - marked <= tonumber(ARGV[4]) + tonumber(ARGV[8]) then
      redis.call('HSET', key, 'cancelled', 1)
      cancelled = true
    end
  end
end
redis.call('EXPIRE', key, ttl + SLACK)
redis.call('EXPIRE', running, ttl + SLACK)
if cancelled then
  return 'cancelled'
end
return 'open'
