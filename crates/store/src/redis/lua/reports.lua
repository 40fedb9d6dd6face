-- KEYS[1]: as for a report. Answers each instance that says something, and what that is.
local said = {}
for _, instance in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local report = redis.call('GET', KEYS[1] .. ':' .. instance)
  if report then
    table.insert(said, {instance, report})
  end
end
return said
