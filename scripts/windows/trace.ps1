<#
.SYNOPSIS
Records the events of the driver.

.DESCRIPTION
Start begins a recording of the driver's ETW events, and replaces one that runs. Stop ends it, and writes the
events as XML beside the recording, for reading.

Returns 0 if it is done, and 1 if something failed.

.PARAMETER Mode
Start or Stop.

.PARAMETER Output
The directory of the recording.

.EXAMPLE
.\trace.ps1 -Mode Start

.EXAMPLE
.\trace.ps1 -Mode Stop
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [ValidateSet('Start', 'Stop')] [string] $Mode,
    [string] $Output = "$env:SystemDrive\DriverReports"
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module -Name "$PSScriptRoot\Driver.psm1" -Force

try {
    New-Item -ItemType Directory -Path $Output -Force | Out-Null
    $recording = Join-Path -Path $Output -ChildPath 'trace.etl'
    $session = Get-EtwTraceSession -Name $EventProviderName -ErrorAction SilentlyContinue
    if ($session) {
        Write-Step 'end the recording'
        Invoke-Tool -Path 'logman.exe' -Arguments 'stop', $EventProviderName, '-ets' | Out-Null
    }
    if ($Mode -eq 'Start') {
        Write-Step "record into $recording"
        if (Test-Path -LiteralPath $recording) {
            Remove-Item -LiteralPath $recording
        }
        $what = 'start', $EventProviderName, '-p', $EventProvider, '0xffffffffffffffff', '5', '-o', $recording, '-ets'
        Invoke-Tool -Path 'logman.exe' -Arguments $what | Out-Null
        exit 0
    }
    if (-not (Test-Path -LiteralPath $recording)) {
        throw "nothing was recorded in $($Output): run trace.ps1 -Mode Start first"
    }
    Write-Step 'write the events as XML'
    $xml = Join-Path -Path $Output -ChildPath 'trace.xml'
    Invoke-Tool -Path 'tracerpt.exe' -Arguments $recording, '-o', $xml, '-of', 'XML', '-y' | Out-Null
    Write-Host "  $xml"
    exit 0
} catch {
    Write-Failure $_
    exit 1
}
