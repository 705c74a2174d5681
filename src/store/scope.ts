import {
  AliasNode,
  AndNode,
  CamelCasePlugin,
  ColumnNode,
  DefaultInsertValueNode,
  type DeleteQueryNode,
  IdentifierNode,
  type InsertQueryNode,
  type JoinNode,
  type Kysely,
  type KyselyPlugin,
  OnNode,
  type OperationNode,
  OperationNodeTransformer,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  PrimitiveValueListNode,
  type QueryId,
  type RawBuilder,
  SelectQueryNode,
  type SqlBool,
  sql,
  TableNode,
  type UpdateQueryNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
  WhereNode,
} from 'kysely'
import type { Store } from './database.ts'
import type { Tables } from './tables.ts'

/*
 * The one place that keeps organizations apart: every query that is made for a request goes through here, and sees and
 * changes only the rows of the request's organization, and of the servers that its sender may see. The conditions that
 * queries have by themselves stay as they are, and choose the index; these come on top, and use none.
 */

/** What the queries of one request may see and change. */
export interface Scope {
  organizationId: string
  /** The ids of the servers that may be seen, with what belongs to them; null: all. */
  servers: readonly string[] | null
}

/** The same store, in which only what is in the scope is there. */
export function scoped(store: Store, scope: Scope): Store {
  return { ...store, db: store.db.withPlugin(new ScopePlugin(store, scope)) }
}

/** All that there is: for the few questions whose answer depends on what belongs to others, too. */
export function unscoped<Db extends Kysely<Tables>>(db: Db): Db {
  return db.withoutPlugins().withPlugin(new CamelCasePlugin()) as Db
}

type Condition = RawBuilder<SqlBool>
type TableName = keyof Tables

interface Conditions {
  /** Whether the column says the organization of the scope. */
  ownedBy: (column: string) => Condition
  /** Whether the column has a server of the scope; true if all may be seen. */
  hasServer: (column: string) => Condition
  /** Whether a row of the other table that is in the scope has this id. */
  isIn: (table: TableName, column: string) => Condition
  /** Whether no row of the other table that is not in the scope has this id: there is none, or it may be seen. */
  isNotHidden: (table: TableName, column: string) => Condition
  isLimited: boolean
}

/** How rows are told apart. `at` makes a column's full name of its own. */
type Rule = (conditions: Conditions, at: (column: string) => string) => Condition | undefined

const ofOrganization: Rule = ({ ownedBy }, at) => ownedBy(at('organization_id'))
const ofPlan: Rule = ({ isIn }, at) => isIn('plans', at('plan_id'))
const ofJob: Rule = ({ isIn }, at) => isIn('jobs', at('job_id'))
/** Nobody's in particular: of the whole instance, or reached only by way of something that is scoped. */
const open: Rule = () => undefined

/** Every table, so that a new one must say whose its rows are. */
const rules: Record<TableName, Rule> = {
  migrations: open,
  leases: open,
  resources: open,
  appKey: open,
  instanceSettings: open,
  appBackupRegistrations: open,
  appBackups: open,
  idempotencyKeys: open, // each belongs to one caller
  firings: open, // the key of one is that of a schedule
  organizations: ({ ownedBy }, at) => ownedBy(at('id')),
  tokens: ofOrganization,
  settings: ofOrganization,
  volumes: ofOrganization,
  encryptionKeys: ofOrganization,
  schedules: ofOrganization,
  notificationRules: ofOrganization,
  notificationThreads: ofOrganization,
  roles: ofOrganization,
  memberships: ofOrganization,
  invitations: ofOrganization,
  auditEntries: ofOrganization,
  // Some may be used by other organizations, too.
  channels: ({ ownedBy }, at) => sql`(${ownedBy(at('organization_id'))} or ${sql.ref(at('is_shared'))} = 1)`,
  servers: (conditions, at) => both(ofOrganization(conditions, at), conditions.hasServer(at('id'))),
  plans: (conditions, at) => both(ofOrganization(conditions, at), conditions.hasServer(at('server_id'))),
  snapshots: (conditions, at) => both(ofOrganization(conditions, at), conditions.hasServer(at('server_id'))),
  jobs: (conditions, at) =>
    both(ofOrganization(conditions, at), conditions.isLimited ? isOfSeen(conditions, at) : undefined),
  scheduledRestores: (conditions, at) =>
    both(
      ofOrganization(conditions, at),
      both(conditions.hasServer(at('source_server_id')), conditions.hasServer(at('target_server_id'))),
    ),
  hooks: (conditions, at) =>
    both(
      ofOrganization(conditions, at),
      conditions.isLimited
        ? sql`(${sql.ref(at('plan_id'))} is null or ${ofPlan(conditions, at)})`
        : undefined,
    ),
  planSchedules: ofPlan,
  planVolumes: ofPlan,
  planDatabases: ofPlan,
  // There may be millions, but few volumes: a look at each snapshot would take longer.
  copies: (conditions, at) =>
    both(
      conditions.isIn('volumes', at('volume_id')),
      conditions.isLimited ? conditions.isIn('snapshots', at('snapshot_id')) : undefined,
    ),
  jobLogs: ofJob,
  jobResources: ofJob,
  jobSlots: ofJob,
  users: open, // people belong to no organization; who sees them is said in app/users
  sessions: open,
  accounts: open,
  verifications: open,
  twoFactors: open,
  passkeys: open,
  signInFailures: open,
  setup: open,
  identitySecret: open,
  identityProviders: open,
  auditChain: open,
}

/**
 * A job is about its server, plan and snapshot: a restore about the snapshot of one server and another one. It is seen by
 * who may see all of them. What is gone by now hides nothing; a job about none of them is not for who sees only some.
 */
function isOfSeen({ hasServer, isIn, isNotHidden }: Conditions, at: (column: string) => string): Condition {
  const [server, plan, snapshot] = [at('server_id'), at('plan_id'), at('snapshot_id')]
  return sql`((${sql.ref(server)} is null or ${hasServer(server)})
    and ${isNotHidden('plans', plan)} and ${isNotHidden('snapshots', snapshot)}
    and (${hasServer(server)} or ${isIn('plans', plan)} or ${isIn('snapshots', snapshot)}))`
}

function both(one: Condition | undefined, other: Condition | undefined): Condition | undefined {
  if (!one) return other
  return other ? sql<SqlBool>`(${one} and ${other})` : one
}

/** By their names in SQL, as they are seen behind Kysely's CamelCasePlugin. */
const rulesBySqlName = new Map(
  Object.entries(rules).map(([name, rule]) => [
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    rule,
  ]),
)

class ScopePlugin implements KyselyPlugin {
  readonly #transformer: ScopeTransformer

  constructor(store: Store, scope: Scope) {
    this.#transformer = new ScopeTransformer(store, scope)
  }

  transformQuery({ node, queryId }: PluginTransformQueryArgs) {
    return this.#transformer.transformNode(node, queryId)
  }

  async transformResult({ result }: PluginTransformResultArgs) {
    return result
  }
}

class ScopeTransformer extends OperationNodeTransformer {
  readonly #scope: Scope
  readonly #conditions: Conditions

  constructor(store: Store, scope: Scope) {
    super()
    this.#scope = scope
    const { organizationId, servers } = scope
    // SQLite would take the index that the column has, instead of the better one that the query is made for.
    const plain = (column: string) =>
      store.engine === 'sqlite' ? sql<string>`(${sql.ref(column)} || '')` : sql<string>`${sql.ref(column)}`
    const conditions: Conditions = {
      isLimited: servers !== null,
      ownedBy: (column) => sql`${plain(column)} = ${organizationId}`,
      hasServer: (column) => (servers === null ? sql`1 = 1` : store.isAmong(plain(column), servers)),
      isIn: (table, column) => {
        const { id, source, inner } = innerOf(table)
        // Few, and looked up once; of the others, each by its id.
        if (table === 'volumes') return sql`${plain(column)} in (select ${id} from ${source} where ${inner})`
        return sql`exists (select 1 from ${source} where ${id} = ${sql.ref(column)} and ${inner})`
      },
      isNotHidden: (table, column) => {
        const { id, source, inner } = innerOf(table)
        return sql`not exists (select 1 from ${source} where ${id} = ${sql.ref(column)} and not coalesce(${inner}, false))`
      },
    }
    const innerOf = (table: TableName) => {
      const alias = `scoped_${sqlName(table)}`
      return {
        id: sql.ref(`${alias}.id`),
        source: sql`${sql.table(sqlName(table))} as ${sql.ref(alias)}`,
        inner: rules[table](conditions, (name) => `${alias}.${name}`) ?? sql<SqlBool>`1 = 1`,
      }
    }
    this.#conditions = conditions
  }

  protected override transformSelectQuery(node: SelectQueryNode, queryId?: QueryId): SelectQueryNode {
    const select = super.transformSelectQuery(node, queryId)
    return this.#narrow(select, select.from?.froms ?? [])
  }

  protected override transformUpdateQuery(node: UpdateQueryNode, queryId?: QueryId): UpdateQueryNode {
    const update = super.transformUpdateQuery(node, queryId)
    for (const { column } of update.updates ?? []) {
      if (ColumnNode.is(column) && column.column.name === 'organization_id') {
        throw new Error('A row was about to be given to another organization.')
      }
    }
    return this.#narrow(update, [...(update.table ? [update.table] : []), ...(update.from?.froms ?? [])])
  }

  protected override transformDeleteQuery(node: DeleteQueryNode, queryId?: QueryId): DeleteQueryNode {
    const deletion = super.transformDeleteQuery(node, queryId)
    return this.#narrow(deletion, [...deletion.from.froms, ...(deletion.using?.tables ?? [])])
  }

  /** A row of another organization is never made, whatever the rules of a feature have overlooked. */
  protected override transformInsertQuery(node: InsertQueryNode, queryId?: QueryId): InsertQueryNode {
    const insert = super.transformInsertQuery(node, queryId)
    const index = insert.columns?.findIndex(({ column }) => column.name === 'organization_id') ?? -1
    if (index < 0 || !insert.values || !ValuesNode.is(insert.values)) return insert
    for (const list of insert.values.values) {
      const owner = valueAt(list, index)
      if (owner !== undefined && owner !== this.#scope.organizationId) {
        throw new Error('A row of another organization was about to be made.')
      }
    }
    return insert
  }

  #narrow<T extends SelectQueryNode | UpdateQueryNode | DeleteQueryNode>(
    query: T,
    tables: readonly OperationNode[],
  ): T {
    const where: OperationNode[] = query.where ? [query.where.where] : []
    for (const table of tables) {
      const condition = this.#conditionOf(table)
      if (condition) where.push(condition)
    }
    const joins = query.joins?.map((join) => {
      const condition = this.#conditionOf(join.table)
      if (!condition) return join
      if (join.joinType === 'LeftJoin') {
        const on = join.on ? OnNode.cloneWithOperation(join.on, 'And', condition) : OnNode.create(condition)
        return { ...join, on } satisfies JoinNode
      }
      // On the other side of these, rows would be missing instead of columns being null.
      if (join.joinType !== 'InnerJoin' && join.joinType !== 'CrossJoin') {
        throw new Error(`A ${join.joinType} cannot be scoped.`)
      }
      where.push(condition)
      return join
    })
    const [first, ...others] = where
    return {
      ...query,
      ...(joins && { joins }),
      ...(first && {
        where: WhereNode.create(
          others.reduce<OperationNode>((left, right) => AndNode.create(left, right), first),
        ),
      }),
    }
  }

  /** Undefined for the result of another select, which was narrowed itself. */
  #conditionOf(source: OperationNode): OperationNode | undefined {
    const table = AliasNode.is(source) ? source.node : source
    if (SelectQueryNode.is(table)) return undefined
    if (!TableNode.is(table)) throw new Error(`A ${table.kind} cannot be scoped.`)
    const { name } = table.table.identifier
    const rule = rulesBySqlName.get(name)
    if (!rule) return undefined
    const alias = AliasNode.is(source) && IdentifierNode.is(source.alias) ? source.alias.name : name
    return rule(this.#conditions, (column) => `${alias}.${column}`)?.toOperationNode()
  }
}

/** Undefined where SQL says it. */
function valueAt(list: OperationNode, index: number): unknown {
  if (PrimitiveValueListNode.is(list)) return list.values[index]
  if (!ValueListNode.is(list)) return undefined
  const value = list.values[index]
  if (!value || DefaultInsertValueNode.is(value) || !ValueNode.is(value)) return undefined
  return value.value
}

function sqlName(table: TableName): string {
  return table.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
