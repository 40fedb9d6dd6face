-- ARGV: client. Answers: whether it is counted.
if redis.call('ZSCORE', used, ARGV[1]) or redis.call('ZSCORE', unused, ARGV[1]) then
  return 1
end
return 0
