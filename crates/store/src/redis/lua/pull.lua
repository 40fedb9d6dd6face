-- ARGV: epoch, what was passed on, how many, retention in ms.
-- Answers: gone; superseded; or events, whether some are missing, then position and data of each.
if not alive() then
  return {'gone'}
end
local holder = redis.call('HGET', state, 'holder') or ''
local epoch, before, pushed, dropped = numbers('epoch', 'passed', 'pushed', 'dropped')
if holder == '' or epoch ~= tonumber(ARGV[1]) then
  return {'superseded'}
end
local passed, old = pass(ARGV[2], before, pushed), now() - tonumber(ARGV[4])
for _ = 1, 64 do
  local first = oldest()
  if not first or position(first) > passed
    or tonumber(string.match(first[1], '%d+$')) > old then
    break
  end
  drop(first, passed)
end
local answer = {'events', dropped > passed and 1 or 0}
local events = redis.call('XRANGE', log, string.format('%d', passed + 1), '+', 'COUNT', ARGV[3])
for _, event in ipairs(events) do
  table.insert(answer, position(event))
  table.insert(answer, event[2][2])
end
return answer
