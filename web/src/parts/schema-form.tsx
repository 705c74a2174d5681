import {
  Button,
  Collapse,
  Group,
  NumberInput,
  PasswordInput,
  Select,
  Stack,
  Switch,
  TagsInput,
  Textarea,
  TextInput,
} from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react'
import { useT } from '../i18n/i18n.ts'
import code from './code-block.module.css'
import { RecordField } from './record-field.tsx'

export type Settings = Record<string, unknown>

/** What a driver's settings look like: `z.toJSONSchema` of its schema, which is flat. */
interface Field {
  type?: string
  title?: string
  description?: string
  default?: unknown
  enum?: string[]
  minimum?: number
  maximum?: number
  items?: { type?: string }
  secret?: boolean
  /** With its line breaks, which a field of one line would lose. */
  multiline?: boolean
  /** `textarea`: a script, or a statement. */
  format?: string
  /** Of an object: names of one's own, and what their values are. */
  additionalProperties?: { secret?: boolean; title?: string }
}

interface SettingsSchema {
  properties?: Record<string, Field>
  required?: string[]
}

interface SchemaFormProps {
  /** As the API describes the driver. */
  schema: Record<string, unknown>
  value: Settings
  onChange: (value: Settings) => void
  /** What is wrong with which field, by its name. */
  errors?: Record<string, string>
  isDisabled?: boolean
}

/** The settings that a new thing of this kind begins with: the schema's own defaults. */
export function defaultsOf(schema: Record<string, unknown>): Settings {
  const { properties = {} } = schema as SettingsSchema
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([, field]) => field.default !== undefined && !(field.secret && field.default === ''))
      .map(([name, field]) => [name, field.default]),
  )
}

/** A setting that is a text; empty if it is not there. */
export function textOf(settings: Settings, name: string): string {
  const value = settings[name]
  return typeof value === 'string' ? value : ''
}

/**
 * A form for the settings of an engine, a volume or a channel, drawn from its schema: what must be given stands first,
 * with the secrets; the rest is behind “More settings”, open if something there is wrong.
 */
export function SchemaForm({ schema, value, onChange, errors = {}, isDisabled = false }: SchemaFormProps) {
  const t = useT()
  const { properties = {}, required = [] } = schema as SettingsSchema
  const [isOpen, { toggle }] = useDisclosure(false)
  const fields = Object.entries(properties)
  const first = fields.filter(([name, field]) => isFirst(name, field, required))
  const rest = fields.filter((entry) => !first.includes(entry))
  const show = ([name, field]: [string, Field]) => (
    <SchemaField
      key={name}
      name={name}
      field={field}
      isRequired={required.includes(name)}
      value={value[name]}
      error={errors[name] ?? errorBelow(errors, name)}
      isDisabled={isDisabled}
      onChange={(changed) => onChange(withValue(value, name, changed))}
    />
  )
  const isShown = isOpen || rest.some(([name]) => errors[name] !== undefined)
  if (first.length === 0 || rest.length <= 2) return <Stack gap="md">{fields.map(show)}</Stack>
  return (
    <Stack gap="md">
      {first.map(show)}
      <Group>
        <Button
          variant="subtle"
          size="compact-sm"
          aria-expanded={isShown}
          leftSection={
            isShown ? <IconChevronDown size={16} aria-hidden /> : <IconChevronRight size={16} aria-hidden />
          }
          onClick={toggle}
        >
          {t('More settings')}
        </Button>
      </Group>
      <Collapse expanded={isShown}>
        <Stack gap="md">{rest.map(show)}</Stack>
      </Collapse>
    </Stack>
  )
}

interface SchemaFieldProps {
  name: string
  field: Field
  isRequired: boolean
  value: unknown
  error: string | undefined
  isDisabled: boolean
  onChange: (value: unknown) => void
}

function SchemaField({ name, field, isRequired, value, error, isDisabled, onChange }: SchemaFieldProps) {
  const t = useT()
  const common = {
    name,
    label: t(field.title ?? name),
    description: field.description === undefined ? undefined : t(field.description),
    withAsterisk: isRequired,
    error,
    disabled: isDisabled,
  }
  const text = typeof value === 'string' ? value : ''
  const onText = ({ currentTarget }: { currentTarget: { value: string } }) =>
    onChange(currentTarget.value === '' && !isRequired ? undefined : currentTarget.value)
  if (field.enum) {
    return (
      <Select
        {...common}
        data={field.enum.map((option) => ({ value: option, label: t(option) }))}
        value={typeof value === 'string' ? value : null}
        allowDeselect={field.default === undefined && !isRequired}
        clearable={field.default === undefined && !isRequired}
        onChange={(chosen) => onChange(chosen ?? undefined)}
      />
    )
  }
  if (field.type === 'boolean') {
    const { withAsterisk: _, ...rest } = common
    return (
      <Switch
        {...rest}
        checked={value === true}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
    )
  }
  if (field.type === 'integer' || field.type === 'number') {
    return (
      <NumberInput
        {...common}
        value={typeof value === 'number' ? value : ''}
        min={field.minimum}
        max={field.maximum}
        allowDecimal={field.type === 'number'}
        placeholder={typeof field.default === 'number' ? String(field.default) : undefined}
        maw={220}
        onChange={(given) => onChange(given === '' ? undefined : Number(given))}
      />
    )
  }
  if (field.type === 'array') {
    return (
      <TagsInput
        {...common}
        value={Array.isArray(value) ? value.map(String) : []}
        splitChars={[',', ' ']}
        placeholder={t('Type, then press Enter')}
        acceptValueOnBlur
        onChange={onChange}
      />
    )
  }
  if (field.type === 'object') {
    return (
      <RecordField
        label={common.label}
        description={common.description}
        error={error}
        isSecret={field.additionalProperties?.secret === true}
        isDisabled={isDisabled}
        value={(value ?? {}) as Record<string, string>}
        onChange={onChange}
      />
    )
  }
  if (field.format === 'textarea') {
    return (
      <Textarea
        {...common}
        autosize
        minRows={8}
        maxRows={24}
        spellCheck={false}
        classNames={{ input: code.input }}
        value={text}
        onChange={onText}
      />
    )
  }
  if (field.secret && field.multiline) {
    return (
      <Textarea
        {...common}
        autosize
        minRows={3}
        maxRows={8}
        spellCheck={false}
        autoComplete="off"
        value={text}
        onChange={onText}
      />
    )
  }
  if (field.secret) {
    return <PasswordInput {...common} autoComplete="new-password" value={text} onChange={onText} />
  }
  if (field.multiline) {
    return (
      <Textarea
        {...common}
        autosize
        minRows={3}
        maxRows={8}
        spellCheck={false}
        value={text}
        onChange={onText}
      />
    )
  }
  return (
    <TextInput
      {...common}
      autoComplete="off"
      spellCheck={false}
      placeholder={typeof field.default === 'string' ? field.default : undefined}
      value={text}
      onChange={onText}
    />
  )
}

/** What nobody can do without, and with it who one is there. */
const usual = new Set([
  'host',
  'port',
  'user',
  'password',
  'endpoint',
  'region',
  'accessKeyId',
  'prefix',
  'tls',
  'privateKey',
  'root',
])

function isFirst(name: string, field: Field, required: readonly string[]): boolean {
  return (
    required.includes(name) ||
    usual.has(name) ||
    (field.secret === true && name !== 'tlsKey' && name !== 'sessionToken')
  )
}

function errorBelow(errors: Record<string, string>, name: string): string | undefined {
  return Object.entries(errors).find(([field]) => field.startsWith(`${name}.`))?.[1]
}

function withValue(settings: Settings, name: string, value: unknown): Settings {
  const { [name]: _, ...others } = settings
  return value === undefined ? others : { ...others, [name]: value }
}
