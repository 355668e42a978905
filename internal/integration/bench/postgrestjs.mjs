// One measurement of postgrest-js, the way its README uses it: one client, and
// as many calls under way as there are callers. It is told the folder of its
// packages and its job, and prints one line of JSON.
import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { performance } from 'node:perf_hooks'

const [modules, given] = process.argv.slice(2)
const { PostgrestClient } = createRequire(modules + '/')('@supabase/postgrest-js')
const job = JSON.parse(given)
const key = process.env.SUPABASE_SERVICE_KEY
const headers = { apikey: key }
if (!key.startsWith('sb_')) headers.Authorization = `Bearer ${key}`
const client = new PostgrestClient(process.env.SUPABASE_REST_URL, { headers })

const details = { region: 'eu-central-1', dns_ms: 3.25, http_status: 200 }
const now = Date.now()
const check = (n) => ({
  id: randomUUID(),
  service_name: `service-${n % 50}`,
  status: n % 2 ? 'degraded' : 'healthy',
  latency_ms: 12 + (n % 300),
  error_message: n % 2 ? 'upstream answered 503 after 2 tries: connection reset by peer' : null,
  probe_details: details,
  checked_at: new Date(now + (n % 1000)).toISOString(),
})
const alertID = (n) => '00000000-0000-7000-8000-' + n.toString(16).padStart(12, '0')

const data = async (query, want) => {
  const { data, error } = await query
  if (error) throw new Error(`${error.code}: ${error.message}`)
  if (want === 1 ? !(data.id ?? data[0]?.id) : want && data.length !== want) throw new Error(`not ${want} rows`)
}
const checks = () => client.from('service_health_checks')
const newest = { ascending: false, nullsFirst: false }
const findAll = (limit) => () =>
  data(
    checks().select('*').not('created_at', 'is', null)
      .order('created_at', { ascending: false, nullsFirst: true }).order('id', { ascending: false, nullsFirst: true }).limit(limit),
    limit,
  )
const cases = {
  Create: (n) => data(checks().insert(check(n)).select().single(), 1),
  FindLatestByService: (n) =>
    data(
      checks().select('*').eq('service_name', `service-${n % 50}`).not('checked_at', 'is', null)
        .order('checked_at', newest).order('id', newest).limit(1).single(),
      1,
    ),
  'FindAll/100': findAll(100),
  'FindAll/1000': findAll(1000),
  Acknowledge: (n) =>
    data(
      client.from('alert_events').update({ status: 'acknowledged', acknowledged_at: new Date().toISOString() })
        .eq('id', alertID(n)).eq('status', 'active').select(),
      1,
    ),
  'CreateMany/1000': () => data(checks().insert(Array.from({ length: 1000 }, (_, n) => check(n)))),
}

let calls = 0
let errors = 0
let failed = ''
async function all(latencies, milliseconds, requests) {
  const end = performance.now() + milliseconds
  const caller = async () => {
    for (let made = 1; ; made++) {
      const began = performance.now()
      try {
        await cases[job.case](calls++)
        latencies?.push(performance.now() - began)
      } catch (error) {
        errors++
        failed ||= String(error.cause ?? error)
      }
      if (made === requests || (!requests && performance.now() >= end)) return
    }
  }
  await Promise.all(Array.from({ length: job.callers }, caller))
}

await all(null, job.warm_up / 1e6, 0)
const latencies = []
const cpu = process.cpuUsage()
const began = performance.now()
await all(latencies, job.duration / 1e6, Math.ceil(job.requests / job.callers))
const seconds = (performance.now() - began) / 1000
const used = process.cpuUsage(cpu)
latencies.sort((a, b) => a - b)
const at = (share) => latencies[Math.min(Math.floor(share * latencies.length), latencies.length - 1)] ?? -1
console.log(JSON.stringify({
  requests: latencies.length, errors, error: failed, per_second: latencies.length / seconds,
  p50_ms: at(0.5), p99_ms: at(0.99), p999_ms: at(0.999), cpu_us: (used.user + used.system) / Math.max(1, latencies.length),
  allocations: -1, bytes: -1, connections: -1,
}))
process.exit(0) // its connections would keep it for seconds
