-- ARGV: the mark of a revoked token, the channel of all instances, a notice for them. How many that has
-- reached.
redis.call('SET', KEYS[1], ARGV[1], 'XX', 'KEEPTTL')
return redis.call('PUBLISH', ARGV[2], ARGV[3])
