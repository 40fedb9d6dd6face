-- ARGV: generation, window in ms, life in ms. Answers: what became of it, and the generation after.
-- The state is the newest generation and the life it was given, or dead.
if not value then
  return {'unknown'}
end
local newest, life = string.match(state, '^(%d+) (%d+)$')
local left = redis.call('PTTL', KEYS[1])
if not (newest or state == 'dead') or left < 0 then
  return {'damaged'}
end
if newest then
  local presented, age = tonumber(ARGV[1]), tonumber(life) - left
  newest = tonumber(newest)
  if presented >= newest then
    local after = string.format('%.0f', presented + 1)
    redis.call('SET', KEYS[1], after .. ' ' .. ARGV[3] .. '\n' .. body, 'PX', ARGV[3])
    return {'rotated', after}
  end
  if presented + 1 == newest and age <= tonumber(ARGV[2]) then
    become(state, body)
    return {'repeated', string.format('%.0f', newest)}
  end
end
become('dead', body)
return {'reused'}
