-- KEYS[1]: the shelf of a user. ARGV: life in ms. Answers each field with what is in it, but for the
-- items themselves.
local found = {}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 5) ~= 'item:' then
    found[#found + 1] = field
    found[#found + 1] = redis.call('HGET', KEYS[1], field)
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return found
