-- ARGV: call, after, reader (empty for none).
-- Answers: newest, ended, lost, instance, the reader before, then number, data and last of each.
if not alive() then
  return false
end
local key, log = tag .. ':call:' .. ARGV[1], tag .. ':log:' .. ARGV[1]
local known = redis.call('HMGET', key, 'seq', 'ended', 'lost', 'instance', 'reader')
if not known[4] then
  return false
end
if ARGV[3] ~= '' then
  redis.call('HSET', key, 'reader', ARGV[3])
end
local answer = {tonumber(known[1]), known[2] and 1 or 0, known[3] and 1 or 0, known[4],
  known[5] or ''}
for _, event in ipairs(redis.call('XRANGE', log, '(' .. ARGV[2] .. '-0', '+')) do
  table.insert(answer, (string.match(event[1], '^%d+')))
  table.insert(answer, event[2][2])
  table.insert(answer, event[2][4])
end
return answer
