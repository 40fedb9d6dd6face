-- KEYS[1]: the sessions of a user, scored by when they were last known to live, in ms.
-- ARGV: session, limit, how many to look at, ttl of the list, how long one is in the making in ms.
-- Answers: nothing if there is room now, and else those that may be gone.
local time = redis.call('TIME')
time = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('ZSCORE', KEYS[1], ARGV[1]) or redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('ZADD', KEYS[1], time, ARGV[1])
  redis.call('EXPIRE', KEYS[1], ARGV[4])
  return false
end
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', time - ARGV[5], 'LIMIT', 0, ARGV[3])
