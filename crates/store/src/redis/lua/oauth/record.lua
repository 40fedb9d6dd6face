-- KEYS[1] is a record: a line that says how it stands, then its sealed body.
local value = redis.call('GET', KEYS[1])
local line = value and string.find(value, '\n', 1, true)
local state = line and string.sub(value, 1, line - 1) or ''
local body = line and string.sub(value, line + 1)

-- Its life stays as it is. What is repeated is written again, as replicas are waited for only by
-- whoever has written.
local function become(state, body)
  redis.call('SET', KEYS[1], state .. '\n' .. body, 'KEEPTTL')
end
