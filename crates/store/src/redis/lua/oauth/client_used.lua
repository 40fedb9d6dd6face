-- ARGV: client, how long it lives in ms.
redis.call('ZREM', unused, ARGV[1])
enter(used, ARGV[1], ARGV[2])
return 1
