// Reads requests, a line of JSON each, and answers each with a line of JSON. A
// request is a database's number and SQL: the answer has the rows of its last
// statement, or the error. Without SQL the database is closed. It ends with its
// input.
const { PGlite } = require('@electric-sql/pglite')
const lines = require('node:readline').createInterface({ input: process.stdin })

const text = (value) => (value === null ? null : String(value))

const databases = new Map()
let empty // the files of an empty database: to copy them is several times as fast as to make them

async function open(number) {
  if (!empty) {
    const first = new PGlite()
    empty = await first.dumpDataDir('none')
    await first.close()
  }
  databases.set(number, new PGlite({ loadDataDir: empty }))
}

async function answer([number, sql]) {
  if (sql === null) {
    await databases.get(number)?.close()
    databases.delete(number)
    return {}
  }
  if (!databases.has(number)) await open(number)
  try {
    const results = await databases.get(number).exec(sql, { rowMode: 'array' })
    const last = results[results.length - 1]
    return { rows: (last ? last.rows : []).map((row) => row.map(text)) }
  } catch (error) {
    return { code: error.code, message: error.message }
  }
}

async function main() {
  for await (const line of lines) {
    process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + '\n')
  }
  process.exit()
}

main()
