-- KEYS[1]: the sessions of a user. ARGV: for each that was looked at its id, and 1 if it lives.
local time = redis.call('TIME')
time = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 1, #ARGV, 2 do
  if ARGV[i + 1] == '1' then
    redis.call('ZADD', KEYS[1], 'XX', time, ARGV[i])
  else
    redis.call('ZREM', KEYS[1], ARGV[i])
  end
end
return 1
