-- ARGV: name, bytes, life in ms, most, most bytes. Answers: the names of those that make room.
local all = '{' .. KEYS[1] .. '}:bytes'

local function parts(entry)
  local name, bytes = string.match(entry, '^(.-):(%d+)$')
  return name, tonumber(bytes)
end

local bytes = tonumber(redis.call('GET', all) or '')
if not bytes then
  bytes = 0
  for _, entry in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    bytes = bytes + select(2, parts(entry))
  end
end
local entry, size = ARGV[1] .. ':' .. ARGV[2], tonumber(ARGV[2])
local oldest = {}
if not redis.call('ZSCORE', KEYS[1], entry) then
  -- All live as long, so the first to end is the oldest. A single one is never too many.
  while redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) or bytes + size > tonumber(ARGV[5]) do
    local first = redis.call('ZPOPMIN', KEYS[1])[1]
    if not first then
      break
    end
    local name, freed = parts(first)
    bytes = bytes - freed
    table.insert(oldest, name)
  end
  enter(KEYS[1], entry, ARGV[3])
  redis.call('SET', all, bytes + size, 'PX', redis.call('PTTL', KEYS[1]))
end
return oldest
