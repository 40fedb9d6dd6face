-- ARGV: value, life in ms. One that is there stays as it is, and is written again, as replicas are
-- waited for only by whoever has written.
if not redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') then
  local left = redis.call('PTTL', KEYS[1])
  if left > 0 then
    redis.call('PEXPIRE', KEYS[1], left)
  end
end
return 1
