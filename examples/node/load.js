// Sends a bounded load: node load.js URL REQUESTS_PER_SECOND MINUTES. Ctrl-C ends it earlier.
'use strict'

const http = require('node:http')

const [url, rate, minutes] = process.argv.slice(2)
if (!(Number(rate) > 0 && Number(minutes) > 0)) {
  console.error('Usage: node load.js http://192.0.2.10 100 30')
  process.exit(2)
}
const USERS = 500 // HAProxy tells them apart by their cookie
const agent = new http.Agent({ keepAlive: true, maxSockets: 100 })
const counts = { sent: 0, failed: 0 }

function finished (status) {
  if (!(status < 500)) counts.failed += 1
}

function send () {
  const headers = { Cookie: `session=${counts.sent % USERS}` }
  counts.sent += 1
  const request = http.get(url, { agent, headers, timeout: 10000 }, (response) => {
    response.resume()
    finished(response.statusCode)
  })
  request.on('timeout', () => request.destroy(new Error('no response in 10 s')))
  request.on('error', () => finished(undefined))
}

function report () {
  console.log(`${counts.sent} requests, ${counts.failed} failed`)
}

const begun = performance.now()
const timers = [
  setInterval(() => {
    const due = Math.floor((performance.now() - begun) / 1000 * rate)
    for (let n = Math.min(due - counts.sent, Number(rate)); n > 0; n--) send()
  }, 20),
  setInterval(report, 10000)
]
setTimeout(() => {
  timers.forEach(clearInterval)
  report()
  agent.destroy()
}, minutes * 60000)
