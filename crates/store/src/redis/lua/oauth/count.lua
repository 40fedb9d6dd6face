-- KEYS[1] counts what there is: a sorted set of names by when they end, in ms. It never outlives
-- the last of them.
local time = redis.call('TIME')
time = time[1] * 1000 + math.floor(time[2] / 1000)

local function lasts(key, life)
  redis.call('PEXPIRE', key, math.max(redis.call('PTTL', key), tonumber(life)))
end

local function enter(key, name, life)
  local before = tonumber(redis.call('ZSCORE', key, name) or 0)
  redis.call('ZADD', key, math.max(before, time + life), name)
  lasts(key, life)
end

local function forget_ended(key)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', time)
end
