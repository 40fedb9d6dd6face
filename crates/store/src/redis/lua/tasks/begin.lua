-- KEYS[1]: a task. ARGV: user, issuer, client, instance, at, life in ms.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
redis.call('HSET', KEYS[1], 'user', ARGV[1], 'issuer', ARGV[2], 'client', ARGV[3],
  'instance', ARGV[4], 'created', ARGV[5], 'updated', ARGV[5], 'life', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return 1
