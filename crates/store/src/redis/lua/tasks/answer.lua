-- ARGV: then at, and of each answer its key and itself. Answers: where the task runs.
for i = 5, #ARGV, 2 do
  if redis.call('HDEL', KEYS[1], 'question:' .. ARGV[i]) == 1 then
    redis.call('HSET', KEYS[1], 'answer:' .. ARGV[i], ARGV[i + 1], 'updated', ARGV[4])
  end
end
return whose[4]
