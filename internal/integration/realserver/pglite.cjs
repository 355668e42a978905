// Reads SQL, one JSON string a line, and answers each with a line of JSON: the
// rows of its last statement, or the error. It ends with its input.
const { PGlite } = require('@electric-sql/pglite')
const lines = require('node:readline').createInterface({ input: process.stdin })

const text = (value) => (value === null ? null : String(value))

async function main() {
  const database = new PGlite()
  for await (const line of lines) {
    let answer
    try {
      const results = await database.exec(JSON.parse(line), { rowMode: 'array' })
      const last = results[results.length - 1]
      answer = { rows: (last ? last.rows : []).map((row) => row.map(text)) }
    } catch (error) {
      answer = { code: error.code, message: error.message }
    }
    process.stdout.write(JSON.stringify(answer) + '\n')
  }
  await database.close()
}

main()
