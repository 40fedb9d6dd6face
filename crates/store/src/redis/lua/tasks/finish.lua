-- Ends a task that has not ended.
local function finish(how, body, at)
  local fields = redis.call('HKEYS', KEYS[1])
  for _, field in ipairs(fields) do
    if string.sub(field, 1, 9) == 'question:' then
      redis.call('HDEL', KEYS[1], field)
    end
  end
  redis.call('HSET', KEYS[1], 'end', how, 'body', body, 'updated', at)
end
