-- ARGV: the place in the log of changes before, and after; most events, most bytes, ttl; then the
-- data of each event. Answers: whether the session lives, and who holds.
if not alive() then
  return false
end
if (redis.call('HGET', state, 'told') or '0-0') == ARGV[1] then
  for index = 6, #ARGV do
    push(ARGV[index], ARGV[3], ARGV[4], ARGV[5])
  end
  redis.call('HSET', state, 'told', ARGV[2])
end
return redis.call('HGET', state, 'holder') or ''
