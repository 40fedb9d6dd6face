-- ARGV: data, most events, most bytes, ttl. Answers: what became of it, and who holds.
if not alive() then
  return {'gone'}
end
if not push(ARGV[1], ARGV[2], ARGV[3], ARGV[4]) then
  return {'full'}
end
return {'kept', redis.call('HGET', state, 'holder') or ''}
