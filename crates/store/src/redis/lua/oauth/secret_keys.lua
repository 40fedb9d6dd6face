-- ARGV: a ring. Answers: the ring that is kept.
local kept = redis.call('GET', KEYS[1]) or ARGV[1]
redis.call('SET', KEYS[1], kept)
return kept
