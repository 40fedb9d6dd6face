-- Answers: call and instance of each that runs.
if not alive() then
  return {}
end
local found = {}
for _, call in ipairs(redis.call('HKEYS', tag .. ':running')) do
  table.insert(found, call)
  table.insert(found, redis.call('HGET', tag .. ':call:' .. call, 'instance'))
end
return found
