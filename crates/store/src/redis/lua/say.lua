-- ARGV: call, number, data (may be empty), last (0 or 1), most events, most bytes, ttl.
-- Answers: what became of it, and who holds the stream.
if not alive() then
  return {'gone'}
end
local call, data = ARGV[1], ARGV[3]
local key = tag .. ':call:' .. call
local known = redis.call('HMGET', key, 'seq', 'ended')
if not known[1] or known[2] then
  return {'ended'}
end
if tonumber(ARGV[2]) > tonumber(known[1]) then
  if ARGV[4] == '1' then
    return end_said(call, data, ARGV[5], ARGV[6], ARGV[7])
  end
  if data ~= '' and not add(data, ARGV[5], ARGV[6], ARGV[7]) then
    return {'full'}
  end
  redis.call('HSET', key, 'seq', ARGV[2])
end
return {'kept', redis.call('HGET', state, 'holder') or ''}
