"""The gate's scripts, each one step for Redis. Their keys hang on the marker; one Redis holds them all."""

_FORGET = """
local function forget(marker, generation)
  local here = marker .. ':' .. generation
  redis.call('UNLINK', marker, here .. ':free', here .. ':owners', here .. ':members')
end
"""

#: Members lie in buckets by the last byte of their ids, which is random: one look-up and one search in a short string.
_IS_MEMBER = """
local function is_member(members, person)
  local bucket = redis.call('HGET', members, string.sub(person, -1))
  local at = bucket and string.find(bucket, person, 1, true)
  while at and at % 16 ~= 1 do at = string.find(bucket, person, at + 1, true) end
  return at
end
"""

#: Shares are given out from the end, and without the gate from the beginning: the two seldom want the same one.
#: ASK marker …; milliseconds to build in, person … → {word, generation, index} of each
ASK = (
    _FORGET
    + _IS_MEMBER
    + """
local function absent(marker)
  if redis.call('SET', marker .. ':building', '1', 'NX', 'PX', ARGV[1]) then return {'build', ''} end
  return {'wait', ''}
end
local function ask(marker, person)
  local gate = redis.call('HMGET', marker, 'generation', 'count')
  if not gate[1] then return absent(marker) end
  if gate[1] == '' then return {'none', ''} end
  local here = marker .. ':' .. gate[1]
  local settled, owned = unpack(redis.call('HMGET', here .. ':owners', '-', person))
  if not settled then
    forget(marker, gate[1])
    return absent(marker)
  end
  if owned then
    if string.sub(owned, -1) == '!' then return {'mine', gate[1], string.sub(owned, 1, -2)} end
    return {'won', gate[1], owned}
  end
  if not is_member(here .. ':members', person) then return {'stranger', gate[1]} end
  if settled == gate[2] then return {'sold_out', gate[1]} end
  local index = redis.call('RPOP', here .. ':free')
  if index then
    redis.call('HSET', here .. ':owners', person, index)
    return {'won', gate[1], index}
  end
  if redis.call('HLEN', here .. ':owners') - 1 < tonumber(gate[2]) then
    forget(marker, gate[1])
    return absent(marker)
  end
  return {'taken', gate[1]}
end
local said = {}
for at, marker in ipairs(KEYS) do said[at] = ask(marker, ARGV[at + 1]) end
return said
"""
)

#: OPEN marker; generation, seconds, count, free indexes, taken indexes, their holders of 16 bytes each.
#: The owner ``-`` counts those that are settled, so that the count is lost with what it counts.
OPEN = (
    _FORGET
    + """
local marker, here = KEYS[1], KEYS[1] .. ':' .. ARGV[1]
local function put(command, key, values)
  if #values > 0 then redis.call(command, key, unpack(values)) end
end
local piece = {}
for index in string.gmatch(ARGV[4], '%d+') do
  piece[#piece + 1] = index
  if #piece == 1000 then put('RPUSH', here .. ':free', piece); piece = {} end
end
put('RPUSH', here .. ':free', piece)
local settled = 0
piece = {}
for index in string.gmatch(ARGV[5], '%d+') do
  piece[#piece + 1] = string.sub(ARGV[6], settled * 16 + 1, settled * 16 + 16)
  piece[#piece + 1] = index .. '!'
  settled = settled + 1
  if #piece == 1000 then put('HSET', here .. ':owners', piece); piece = {} end
end
put('HSET', here .. ':owners', piece)
redis.call('HSET', here .. ':owners', '-', settled)
redis.call('EXPIRE', here .. ':free', ARGV[2] + 60)
redis.call('EXPIRE', here .. ':owners', ARGV[2] + 60)
local before = redis.call('HGET', marker, 'generation')
if before then forget(marker, before) end
redis.call('HSET', marker, 'generation', ARGV[1], 'count', ARGV[3])
redis.call('EXPIRE', marker, ARGV[2])
redis.call('DEL', marker .. ':building')
return 1
"""
)

#: LEAVE_OPEN marker; milliseconds
LEAVE_OPEN = """
redis.call('HSET', KEYS[1], 'generation', '')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[1] .. ':building')
return 1
"""

#: SETTLE marker …; person, index, … of each. Who holds another share than the gate gave them gives that one back.
SETTLE = (
    _FORGET
    + """
for at, marker in ipairs(KEYS) do
  local person, index = ARGV[2 * at - 1], ARGV[2 * at]
  local generation = redis.call('HGET', marker, 'generation')
  if generation and generation ~= '' then
    local here = marker .. ':' .. generation
    local settled, owned = unpack(redis.call('HMGET', here .. ':owners', '-', person))
    local is_settled = owned and string.sub(owned, -1) == '!'
    if not settled or (is_settled and owned ~= index .. '!') then
      forget(marker, generation)
    elseif not is_settled then
      if owned ~= index then
        redis.call('LREM', here .. ':free', 1, index)
        if owned then redis.call('LPUSH', here .. ':free', owned) end
      end
      redis.call('HSET', here .. ':owners', person, index .. '!')
      redis.call('HINCRBY', here .. ':owners', '-', 1)
    end
  end
end
return 1
"""
)

#: RELEASE marker; generation, person, index: the share was gone, so the person owns nothing here
RELEASE = """
local owners = KEYS[1] .. ':' .. ARGV[1] .. ':owners'
if redis.call('HGET', owners, ARGV[2]) == ARGV[3] then redis.call('HDEL', owners, ARGV[2]) end
return 1
"""

#: FORGET marker; generation
FORGET = (
    _FORGET
    + """
local generation = redis.call('HGET', KEYS[1], 'generation')
if generation == ARGV[1] then forget(KEYS[1], generation) end
return 1
"""
)
