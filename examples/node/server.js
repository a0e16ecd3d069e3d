// A small HTTP service. All it knows of canaries is the name of its release.
'use strict'

const http = require('node:http')
const path = require('node:path')

const PORT = 8000
const GREETING = 'Hello'
const ERRORS = 0 // share of the requests that fail
const DELAY = 20 // milliseconds that each request takes
const RELEASE = path.basename(__dirname) // deploy.sh names the directory after the release

const counted = { 200: 0, 500: 0 }
let seconds = 0

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

// The text format of Prometheus.
function metrics () {
  return [
    ...Object.entries(counted).map(([status, n]) => `http_requests_total{status="${status}"} ${n}`),
    `http_seconds_sum ${seconds}`,
    `http_seconds_count ${counted[200] + counted[500]}`
  ].join('\n') + '\n'
}

async function greet (response) {
  const start = performance.now()
  await sleep(DELAY)
  const status = Math.random() < ERRORS ? 500 : 200
  response.writeHead(status).end(`${GREETING}\n`)
  counted[status] += 1
  seconds += (performance.now() - start) / 1000
}

const server = http.createServer((request, response) => {
  if (request.url === '/health') {
    response.writeHead(200, { 'X-Release': RELEASE }).end()
  } else if (request.url === '/metrics') {
    response.writeHead(200, { 'Content-Type': 'text/plain' }).end(metrics())
  } else {
    greet(response)
  }
})
server.listen(PORT)
process.on('SIGTERM', () => server.close())
