-- KEYS[1]: a task. ARGV: user, issuer, client. Answers nobody else.
local whose = redis.call('HMGET', KEYS[1], 'user', 'issuer', 'client', 'instance', 'end')
if whose[1] ~= ARGV[1] or whose[2] ~= ARGV[2] or whose[3] ~= ARGV[3] then
  return false
end
