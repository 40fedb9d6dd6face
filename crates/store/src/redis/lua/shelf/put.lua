-- KEYS[1]: the shelf of a user. ARGV: name, data, at, most items, most bytes with their names, life
-- in ms. Answers the names of those that made room.
local order = redis.call('HINCRBY', KEYS[1], 'puts', 1)
redis.call('HSET', KEYS[1], 'item:' .. ARGV[1], ARGV[2],
  'about:' .. ARGV[1], ARGV[3] .. ' ' .. #ARGV[2] .. ' ' .. order)
redis.call('PEXPIRE', KEYS[1], ARGV[6])

local items, bytes = {}, 0
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 6) == 'about:' then
    local size, put = string.match(redis.call('HGET', KEYS[1], field), '^%d+ (%d+) (%d+)$')
    local item = { name = string.sub(field, 7), put = tonumber(put) or 0 }
    item.bytes = #item.name + (tonumber(size) or 0)
    bytes = bytes + item.bytes
    items[#items + 1] = item
  end
end
table.sort(items, function(one, other) return one.put < other.put end)

local gone = {}
while #items - #gone > tonumber(ARGV[4]) or bytes > tonumber(ARGV[5]) do
  local oldest = items[#gone + 1]
  redis.call('HDEL', KEYS[1], 'item:' .. oldest.name, 'about:' .. oldest.name)
  bytes = bytes - oldest.bytes
  gone[#gone + 1] = oldest.name
end
return gone
