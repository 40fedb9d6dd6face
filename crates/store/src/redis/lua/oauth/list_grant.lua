-- ARGV: grant, life in ms. What has ended leaves the list with each that comes.
forget_ended(KEYS[1])
enter(KEYS[1], ARGV[1], ARGV[2])
return 1
