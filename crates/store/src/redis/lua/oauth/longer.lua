-- ARGV: name, life in ms.
enter(KEYS[1], ARGV[1], ARGV[2])
return 1
