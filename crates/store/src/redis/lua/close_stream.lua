-- ARGV: epoch, what was passed on, ttl.
if not alive() then
  return 0
end
renew(tonumber(ARGV[3]))
if number('epoch') == tonumber(ARGV[1]) then
  redis.call('HSET', state, 'holder', '')
  pass(ARGV[2])
end
return 1
