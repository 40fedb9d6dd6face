-- ARGV: life in ms, then fields and values. One that is there stays as it is, and is written again,
-- as replicas are waited for only by whoever has written.
local left = redis.call('PTTL', KEYS[1])
if left == -2 then
  left = ARGV[1]
  redis.call('HSET', KEYS[1], 'state', 'active', unpack(ARGV, 2))
end
if left ~= -1 then
  redis.call('PEXPIRE', KEYS[1], left)
end
return 1
