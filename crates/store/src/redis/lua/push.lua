-- ARGV: data, most events, most bytes, ttl. Answers: whether the session lives, and who holds.
if not alive() then
  return false
end
add(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
return redis.call('HGET', state, 'holder') or ''
