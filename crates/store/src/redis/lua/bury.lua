-- ARGV: call, most events, most bytes, ttl. Answers: what became of it, and who holds the stream.
if not alive() then
  return {'gone'}
end
local known = redis.call('HMGET', tag .. ':call:' .. ARGV[1], 'seq', 'ended', 'last_words')
if not known[1] or known[2] then
  return {'ended'}
end
return end_said(ARGV[1], known[3] or '', ARGV[2], ARGV[3], ARGV[4])
