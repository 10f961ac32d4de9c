#!/usr/bin/env bash
# Driver for curl and jq as a client (driver protocol version 1). Needs bash 4, curl 7.70, jq 1.6.
#
# The API key is never on a command line, where every user of the machine could read it: requests
# are passed through pipes, and to curl as a config file on stdin.
set -u -o pipefail

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# From a request to a line with its op and the reason to reject it, if any, then the config of curl.
# Invalid arguments must not lead to a request for another path, or to an additional header.
# JSON and curl's config quote text alike, except for control characters.
read -r -d '' PLAN <<'JQ'
def date_time:
  test("\\A[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:]{8}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})\\z");
def filters: {status, created_after, created_before} | del(.[] | nulls);
def refusal:
  if .op == "list_batches" and ([.created_after, .created_before] | map(strings | date_time) | all | not)
    then "a date must have an offset"
  elif .op == "get_batch" and (.batch_id | IN("", ".", "..")) then "batch_id must not be empty, . or .."
  elif .base_url | test("\\Ahttps?://[^\u0000-\u0020\u007f]+\\z") | not then "base_url must be an http(s) URL"
  elif .api_key | test("[\u0000-\u001f\u007f]") then "api_key must not contain control characters"
  else "" end;
# @uri encodes the + of an offset as %2B; unescaped, it would be read as a space.
def rest:
  if .op == "get_batch" then "/" + (.batch_id | @uri)
  else filters | to_entries | map("\(.key)=\(.value | @uri)") | join("&") | if . == "" then . else "?" + . end end;
def config:
  "url = \((.base_url | rtrimstr("/")) + "/v2/batch" + rest | tojson)",
  "header = \(if .api_key | test("[^ ]") then "x-api-key: \(.api_key)" else "x-api-key;" end | tojson)",
  "header = \"Accept: application/json\"",
  "max-time = \(.timeout_s)",
  "proto = \"=http,https\"",
  "globoff", "path-as-is", "silent", "show-error";
if .op | IN("get_batch", "list_batches") then ([.op, refusal] | @tsv), config else [.op] | @tsv end
JQ

# From a request and the result of curl to the reply.
read -r -d '' REPLY_OF <<'JQ'
def count: type == "number" and . == floor and . >= 0 and . <= 9007199254740991;
def date_time:
  test("\\A[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]"
    + "([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})\\z");
def is_batch:
  type == "object"
  and all(.id, .created_at, .status, .outputUrl; type == "string")
  and (.webhookUrl | type | IN("string", "null"))
  and (.created_at | date_time)
  and (.metrics | type == "object"
    and all(.total_generations, .success_count, .failed_count, .pending_count; count));
def documented:
  {id, created_at, status, outputUrl}
  + {metrics: (.metrics | {total_generations, success_count, failed_count, pending_count})}
  + if has("webhookUrl") then {webhookUrl} else {} end;
def kind:
  if . == 401 then "unauthorized" elif . == 404 then "not_found" elif . == 429 then "rate_limited"
  elif . >= 500 then "server_error" elif . >= 300 then "http" else "decode" end;
def said:
  (if type == "object" then .message else null end)
  | if type == "array" then map(strings) | join("; ") else strings end;

.api_key as $key
| ($body | try fromjson catch null) as $json
| ($complaint | rtrimstr("\n")) as $complaint
| {seq} + (
    if $exit == 0 and $status == 200 and .op == "get_batch" and ($json | is_batch) then {batch: ($json | documented)}
    elif $exit == 0 and $status == 200 and .op == "list_batches"
      and ($json | type == "array" and all(.[]; is_batch)) then {batches: ($json | map(documented))}
    else
      {error: (
        if $exit == 28 then {kind: "timeout", status: null, message: $complaint}
        elif $exit == 3 then {kind: "invalid_argument", status: null, message: $complaint}
        elif $exit == 61 then {kind: "decode", status: null, message: $complaint}
        elif $exit != 0 then {kind: "transport", status: null, message: $complaint}
        elif $status == 200 then {kind: "decode", status: 200, message: "the answer is not what is documented"}
        else {kind: ($status | kind), status: $status, message: (["HTTP \($status)"] + [$json | said] | join(": "))}
        end
        # A key that the server echoes must not reach the caller's logs.
        | if $key != "" then .message |= (split($key) | join("[redacted]")) else . end
      )}
    end)
JQ
readonly PLAN REPLY_OF

ask() { # REQUEST CONFIG
  local exit=0
  : >"$scratch/body"
  printf '%s' "$2" |
    curl -q --noproxy '*' -K - -o "$scratch/body" -w '%{http_code}' >"$scratch/status" 2>"$scratch/complaint" || exit=$?
  printf '%s' "$1" | jq -c --argjson exit "$exit" --argjson status "$((10#$(<"$scratch/status")))" \
    --rawfile body "$scratch/body" --rawfile complaint "$scratch/complaint" "$REPLY_OF"
}

fail() { # REQUEST KIND MESSAGE
  printf '%s' "$1" | jq -c --arg kind "$2" --arg message "$3" '{seq, error: {$kind, status: null, $message}}'
}

hello() { # REQUEST
  local version
  version=$(curl -q --version | awk 'NR == 1 { print $2 }')
  printf '%s' "$1" | jq -c --arg version "$version" \
    '{seq, hello: {protocol: 1, name: "curl", $version, language: "shell", operations: ["get_batch", "list_batches"]}}'
}

while IFS= read -r line || [[ -n $line ]]; do
  if ! plan=$(printf '%s' "$line" | jq -r "$PLAN"); then
    # jq refuses text that is not Unicode; such an id cannot be sent.
    [[ $line =~ \"seq\":\ *([0-9]+) ]] || exit 1
    fail "{\"seq\": ${BASH_REMATCH[1]}}" invalid_argument "the request is not valid JSON or Unicode"
    continue
  fi
  first=${plan%%$'\n'*}
  op=${first%%$'\t'*} refusal=${first#*$'\t'} # no here-string: bash may put those, key and all, in a file
  case $op in
    hello) hello "$line" ;;
    bye) exit 0 ;;
    get_batch | list_batches)
      if [[ -n $refusal ]]; then
        fail "$line" invalid_argument "$refusal"
      else
        ask "$line" "${plan#*$'\n'}"
      fi
      ;;
    *) fail "$line" other "unknown op: $op" ;;
  esac
done
