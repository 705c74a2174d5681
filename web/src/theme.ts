import { createTheme, type MantineColorsTuple } from '@mantine/core'
import i18next from 'i18next'

const teal: MantineColorsTuple = [
  '#e3fafc',
  '#c5f6fa',
  '#99e9f2',
  '#66d9e8',
  '#3bc9db',
  '#22b8cf',
  '#15aabf',
  '#1098ad',
  '#0c8599',
  '#0b7285',
]

export const theme = createTheme({
  primaryColor: 'harbour',
  colors: { harbour: teal },
  primaryShade: 9,
  autoContrast: true,
  luminanceThreshold: 0.35,
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily:
    'Inter, -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", Helvetica, Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Noto Sans Mono", monospace',
  headings: { fontWeight: '650' },
  components: {
    Table: { defaultProps: { verticalSpacing: 'sm', highlightOnHover: true } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300, multiline: true, maw: 340 } },
    // What it would focus first is no item of a menu; without it, the first item is focused.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    // Their <header> is no banner of the page.
    Modal: { defaultProps: { centered: true, attributes: { header: { role: 'none' } } } },
    Drawer: { defaultProps: { attributes: { header: { role: 'none' } } } },
    Button: { defaultProps: { loaderProps: { type: 'dots' } } },
    Notification: { defaultProps: () => ({ closeButtonProps: { 'aria-label': i18next.t('Close') } }) },
  },
})
