// Evaluates GitHub's expressions with GitHub's evaluator: a JSON request a line on standard input, a JSON answer a line on standard
// output. {kind: "text" | "condition", value, contexts: {name: ...}, status: "success" | "failure", workspace}
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Evaluator, Lexer, Parser, data } from '@actions/expressions'
import { truthy } from '@actions/expressions/result'

const STATUS = ['success', 'failure', 'cancelled', 'always']

// The functions that the runner adds to the language. Of hashFiles only whether there is such a file.
function functions({ status, workspace }) {
  const say = (name, value) => ({ name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(value) })
  const found = path => new data.StringData(existsSync(join(workspace, path.coerceString())) ? 'a hash' : '')
  return [
    say('success', status === 'success'),
    say('failure', status === 'failure'),
    say('cancelled', false),
    say('always', true),
    { name: 'hashFiles', minArgs: 1, maxArgs: 1, call: found },
  ]
}

function evaluate(expression, request) {
  const { tokens } = new Lexer(expression).lex()
  const added = functions(request)
  const tree = new Parser(tokens, Object.keys(request.contexts), added).parse()
  const contexts = JSON.parse(JSON.stringify(request.contexts), data.reviver)
  return new Evaluator(tree, contexts, new Map(added.map(each => [each.name.toLowerCase(), each]))).evaluate()
}

function text(request) {
  return request.value.replaceAll(/\$\{\{(.*?)\}\}/gs, (_, expression) => evaluate(expression, request).coerceString())
}

// A condition that asks for no status holds only while nothing has failed.
function condition(request) {
  const expression = request.value.trim().replace(/^\$\{\{(.*)\}\}$/s, '$1') || 'success()'
  const asks = new Lexer(expression).lex().tokens.some(token => STATUS.includes(token.lexeme))
  return truthy(evaluate(asks ? expression : `success() && (${expression})`, request))
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line)
  let answer
  try {
    answer = { value: request.kind === 'text' ? text(request) : condition(request) }
  } catch (error) {
    answer = { error: `${error.message} in: ${request.value}` }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
