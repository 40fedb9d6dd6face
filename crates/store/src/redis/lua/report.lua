-- KEYS[1]: the instances that say something of themselves, by until when that counts, in ms; its
-- name is the tag of what they say. ARGV: an instance, what it says, how long that counts in ms.
local life = tonumber(ARGV[3])
local time = redis.call('TIME')
time = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('SET', KEYS[1] .. ':' .. ARGV[1], ARGV[2], 'PX', life)
redis.call('ZADD', KEYS[1], time + life, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', time)
if redis.call('PTTL', KEYS[1]) < life then
  redis.call('PEXPIRE', KEYS[1], life)
end
return 1
