#!/usr/bin/env node
// Driver for the official TypeScript SDK `@sync.so/sdk` (driver protocol version 1).
//
//   driver.mjs               the SDK installed beside this file
//   driver.mjs --sdk DIR     the SDK installed in DIR/node_modules
//
// It only converts: the reply is what the SDK returns to its caller, right or wrong.
// Tried with @sync.so/sdk 0.2.3 and 0.3.0 on Node 20.

import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

// stdout is reserved for the protocol: everything else that is printed goes to stderr.
const writeProtocol = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);

const { values: options } = parseArgs({ options: { sdk: { type: 'string' } } });
const here = path.dirname(fileURLToPath(import.meta.url));
const { SyncClient, SyncError, SyncTimeoutError, version } = loadSdk(path.resolve(options.sdk ?? here));

function loadSdk(folder) {
  const require = createRequire(path.join(folder, 'package.json'));
  try {
    return { ...require('@sync.so/sdk'), version: require('@sync.so/sdk/package.json').version };
  } catch (problem) {
    console.error(`@sync.so/sdk cannot be loaded from ${folder}: ${problem.message.split('\n')[0]}`);
    process.exit(1);
  }
}

// JSON has neither infinite numbers nor undefined: the former become text, the latter null.
function encode(reply) {
  return JSON.stringify(reply, (_, value) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );
}

// --- calling the SDK ---------------------------------------------------------------------------

async function getBatch({ base_url: baseUrl, api_key: apiKey, batch_id: id, timeout_s: timeoutInSeconds }) {
  const client = new SyncClient({ baseUrl, apiKey });
  try {
    // The SDK returns the parsed JSON itself, under the wire names.
    return { batch: (await client.batch.get(id, { timeoutInSeconds })) ?? null };
  } catch (error) {
    return { error: describe(error) };
  }
}

async function listBatches(request) {
  const { base_url: baseUrl, api_key: apiKey, timeout_s: timeoutInSeconds } = request;
  const client = new SyncClient({ baseUrl, apiKey });
  // Pass only the given filters; the SDK takes dates as text.
  const given = ['status', 'created_after', 'created_before'].filter((name) => request[name] !== null);
  const filters = Object.fromEntries(given.map((name) => [name, request[name]]));
  try {
    return { batches: (await client.batch.list(filters, { timeoutInSeconds })) ?? null };
  } catch (error) {
    return { error: describe(error) };
  }
}

// --- errors of the SDK -------------------------------------------------------------------------

function describe(error) {
  const status = (error instanceof SyncError ? error.statusCode : undefined) ?? null;
  return { kind: kindOf(error, status), status, message: messageOf(error) };
}

function kindOf(error, status) {
  if (error instanceof SyncTimeoutError) return 'timeout';
  if (error instanceof SyncError) {
    // A SyncError without a status means that there was no response; the SDK tells no more.
    return status === null ? 'transport' : kindOfStatus(status);
  }
  return error instanceof URIError ? 'invalid_argument' : 'other'; // an id that cannot be encoded
}

function kindOfStatus(status) {
  if (status >= 200 && status < 300) return 'decode';
  if (status >= 500 && status < 600) return 'server_error';
  return { 401: 'unauthorized', 404: 'not_found', 429: 'rate_limited' }[status] ?? 'http';
}

// The error as text, and the message of its body if the text shows it only escaped.
function messageOf(error) {
  const printed = error instanceof Error ? error.message || String(error) : String(error);
  const parts = [error?.body?.message].flat().filter((part) => typeof part === 'string');
  return [printed, ...parts.filter((part) => !printed.includes(part))].join('\n');
}

// --- the protocol ------------------------------------------------------------------------------

async function answer(request) {
  switch (request.op) {
    case 'hello': {
      const hello = { protocol: 1, name: '@sync.so/sdk', version, language: 'typescript' };
      return { hello: { ...hello, operations: ['get_batch', 'list_batches'] } };
    }
    case 'get_batch':
      return getBatch(request);
    case 'list_batches':
      return listBatches(request);
    default:
      return { error: { kind: 'other', status: null, message: `unknown op: ${request.op}` } };
  }
}

// Not node:readline, which also splits lines at U+2028 and U+2029: JSON may contain those.
async function* linesOf(stream) {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    yield* lines;
  }
  if (rest) yield rest;
}

for await (const line of linesOf(process.stdin)) {
  const request = JSON.parse(line);
  if (request.op === 'bye') break;
  writeProtocol(`${encode({ seq: request.seq, ...(await answer(request)) })}\n`);
}
// Connections that the SDK keeps alive would keep the process running.
process.exit(0);
