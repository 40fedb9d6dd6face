-- Flips a switch that is kept in the field 'switches' of a hash, unless this attempt has. Answers
-- how it is now, or 'full'.
local function flip(key, name, attempt, most)
  local switches = cjson.decode(redis.call('HGET', key, 'switches') or '{}')
  local switch = switches[name]
  if not switch then
    local count = 0
    for _ in pairs(switches) do
      count = count + 1
    end
    if count >= tonumber(most) then
      return 'full'
    end
    switch = { on = false, attempt = '' }
  end
  if switch.attempt ~= attempt then
    switches[name] = { on = not switch.on, attempt = attempt }
    redis.call('HSET', key, 'switches', cjson.encode(switches))
  end
  return switches[name].on and 'on' or 'off'
end
