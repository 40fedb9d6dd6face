-- KEYS[1]: the lease of an instance, and its channel. ARGV: its life in ms, what is published.
-- A Redis that is full refuses SET and lets a lease be prolonged.
if redis.call('PEXPIRE', KEYS[1], ARGV[1]) == 0 then
  redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
end
redis.call('PUBLISH', KEYS[1], ARGV[2])
return 1
