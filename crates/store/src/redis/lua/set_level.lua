-- ARGV: level.
if not alive() then
  return 0
end
redis.call('HSET', tag .. ':state', 'level', ARGV[1])
return 1
