import {
  Alert,
  Button,
  Code,
  Collapse,
  Group,
  PasswordInput,
  Stack,
  Switch,
  Table,
  Text,
  TextInput,
} from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconHelp } from '@tabler/icons-react'
import { useT } from '../i18n/i18n.ts'
import { SchemaForm, type Settings, textOf } from '../parts/schema-form.tsx'

interface S3FieldsProps {
  schema: Record<string, unknown>
  value: Settings
  onChange: (settings: Settings) => void
  errors: Record<string, string>
}

/** Drawn here, under the names that people know them by. */
const own = ['endpoint', 'bucket', 'accessKeyId', 'secretAccessKey', 'region', 'pathStyle']

/** A bucket for app backups, with the help that depends on the provider. */
export function S3Fields({ schema, value, onChange, errors }: S3FieldsProps) {
  const t = useT()
  const field = (name: string) => ({
    value: textOf(value, name),
    error: errors[name],
    autoComplete: 'off',
    spellCheck: false,
    onChange: ({ currentTarget }: { currentTarget: { value: string } }) =>
      onChange(withText(value, name, currentTarget.value)),
  })
  return (
    <Stack gap="md">
      <S3Help />
      <TextInput
        {...field('endpoint')}
        label={t('S3 Endpoint URL')}
        description={t('Leave empty for AWS')}
        placeholder="https://s3.example.com"
      />
      <TextInput
        {...field('bucket')}
        label={t('Bucket Name')}
        description={t('It must exist')}
        withAsterisk
      />
      <TextInput {...field('accessKeyId')} label={t('Access Key')} />
      <PasswordInput {...field('secretAccessKey')} autoComplete="new-password" label={t('Secret Key')} />
      <TextInput
        {...field('region')}
        label={t('Region')}
        description={t('Optional, unless it is AWS')}
        placeholder="us-east-1"
      />
      <Switch
        label={t('Force Path Style')}
        description={t('The bucket is part of the path, not of the host name')}
        checked={value['pathStyle'] === true}
        onChange={({ currentTarget }) => onChange({ ...value, pathStyle: currentTarget.checked })}
      />
      <SchemaForm schema={withoutOwn(schema)} value={value} errors={errors} onChange={onChange} />
    </Stack>
  )
}

const providers = [
  { name: 'AWS S3', endpoint: '', region: 'us-east-1', isPathStyle: false },
  { name: 'MinIO', endpoint: 'http://minio-host:9000', region: '', isPathStyle: true },
  {
    name: 'DigitalOcean Spaces',
    endpoint: 'https://{region}.digitaloceanspaces.com',
    region: '',
    isPathStyle: false,
  },
  {
    name: 'Backblaze B2',
    endpoint: 'https://s3.{region}.backblazeb2.com',
    region: 'us-west-004',
    isPathStyle: false,
  },
]

function S3Help() {
  const t = useT()
  const [isOpen, { toggle }] = useDisclosure(false)
  return (
    <Stack gap="xs">
      <Group>
        <Button
          variant="subtle"
          size="compact-sm"
          leftSection={<IconHelp size={16} aria-hidden />}
          aria-expanded={isOpen}
          onClick={toggle}
        >
          {t('What to enter for which provider, and the permissions needed')}
        </Button>
      </Group>
      <Collapse expanded={isOpen} keepMounted={false}>
        <Stack gap="sm">
          <Table.ScrollContainer
            minWidth={460}
            type="native"
            tabIndex={0}
            aria-label={t('Providers')}
            role="region"
          >
            <Table fz="sm">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t('Provider')}</Table.Th>
                  <Table.Th>{t('Endpoint')}</Table.Th>
                  <Table.Th>{t('Region')}</Table.Th>
                  <Table.Th>{t('Force Path Style')}</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {providers.map(({ name, endpoint, region, isPathStyle }) => (
                  <Table.Tr key={name}>
                    <Table.Td>{name}</Table.Td>
                    <Table.Td>{endpoint === '' ? t('(leave empty)') : <Code>{endpoint}</Code>}</Table.Td>
                    <Table.Td>{region === '' ? t('(optional)') : t('e.g. {{region}}', { region })}</Table.Td>
                    <Table.Td>{isPathStyle ? t('yes') : t('no')}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
          <Alert variant="light" color="blue">
            <Text size="sm">
              {t('The key needs two permissions on the objects of the bucket, and no more:')}{' '}
              <Code>s3:PutObject</Code> <Code>s3:DeleteObject</Code>
            </Text>
          </Alert>
        </Stack>
      </Collapse>
    </Stack>
  )
}

function withoutOwn(schema: Record<string, unknown>): Record<string, unknown> {
  const properties = Object.entries(schema['properties'] ?? {})
  return { properties: Object.fromEntries(properties.filter(([name]) => !own.includes(name))), required: [] }
}

/** An empty field is one that is not there. */
function withText(settings: Settings, name: string, text: string): Settings {
  const { [name]: _, ...others } = settings
  return text === '' ? others : { ...others, [name]: text }
}
