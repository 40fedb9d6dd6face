-- Posts one request after the other, each of the next session of a list ("-" is none) and with
-- another id than those under way, and says at the end what came of it. The arguments are the file
-- with the sessions and the one with the body, whose id is 1.
local requests, at = {}, 0
local ids = 64

function init(args)
  local file = assert(io.open(args[2]))
  local body = file:read("*a")
  file:close()
  for id = 1, ids do
    local numbered = body:gsub('"id":1,', '"id":' .. id .. ',', 1)
    for session in io.lines(args[1]) do
      local headers = {}
      for name, value in pairs(wrk.headers) do headers[name] = value end
      if session ~= "-" then headers["Mcp-Session-Id"] = session end
      requests[#requests + 1] = wrk.format("POST", nil, headers, numbered)
    end
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"requests":%d,"micros":%d,"p99":%d,"failed":%d}\n',
    summary.requests, summary.duration, latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
