-- ARGV: then at. Answers: where the task runs.
if not whose[5] then
  finish('cancelled', '', ARGV[4])
end
return whose[4]
