import { Button, Group, Menu, Stack, Text, Textarea } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'
import { useRef } from 'react'
import type { HookAround } from '../../../src/shared/hooks.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { numberText } from '../parts/bytes.tsx'
import code from '../parts/code-block.module.css'
import { examples } from './examples.ts'
import { Variables } from './variables.tsx'

const MOST = 10_000

interface ScriptEditorProps {
  label: string
  description: string
  around: HookAround
  value: string
  onChange: (script: string) => void
  error: string | undefined
}

/** A script, with all variables that it may use: a click puts one where the cursor is. */
export function ScriptEditor({ label, description, around, value, onChange, error }: ScriptEditorProps) {
  const t = useT()
  const language = useLanguage()
  const area = useRef<HTMLTextAreaElement>(null)
  const insert = (text: string) => {
    const { selectionStart: start = value.length, selectionEnd: end = start } = area.current ?? {}
    onChange(value.slice(0, start) + text + value.slice(end))
    const cursor = start + text.length
    requestAnimationFrame(() => {
      area.current?.focus()
      area.current?.setSelectionRange(cursor, cursor)
    })
  }
  const tooLong = value.length > MOST ? t('It has too many characters') : undefined
  return (
    <Stack gap="md">
      <Textarea
        ref={area}
        label={label}
        description={description}
        placeholder="echo …"
        autosize
        minRows={12}
        maxRows={30}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        classNames={{ input: code.input }}
        value={value}
        error={error ?? tooLong}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
      />
      <Group justify="space-between">
        <Menu position="bottom-start">
          <Menu.Target>
            <Button variant="default" size="xs" rightSection={<IconChevronDown size={14} aria-hidden />}>
              {t('Insert an example')}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {examples[around].map(({ title, script }) => (
              <Menu.Item key={title} onClick={() => insert(script)}>
                {t(title)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
        <Text size="xs" c="dimmed">
          {t('{{used}} of {{most}} characters', {
            used: numberText(value.length, language),
            most: numberText(MOST, language),
          })}
        </Text>
      </Group>
      <Stack gap="xs">
        <Text size="sm" fw={600}>
          {t('Variables')}
        </Text>
        <Text size="sm" c="dimmed">
          {t('A click puts one where the cursor is, with quotes around it: a name may contain spaces.')}
        </Text>
        <Variables around={around} isHook={false} onInsert={insert} />
      </Stack>
    </Stack>
  )
}
