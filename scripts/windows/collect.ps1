<#
.SYNOPSIS
Collects what helps to find out what went wrong, in one archive.

.DESCRIPTION
Crash dumps, the log of installations, the logs of the system and of Code Integrity, the recorded events of the
driver, what the verifier has seen, and the state of the device, the driver and its settings. What is not
there is left out, and said.

Returns 0 if there is an archive, and 1 if something failed.

.PARAMETER Package
The folder of the package, which has the INF. Without it, the folder above this script.

.PARAMETER Output
The directory of the archive, which is replaced if it is there.

.PARAMETER NoDumps
Leave out the crash dumps, which are large.

.EXAMPLE
.\collect.ps1

.EXAMPLE
.\collect.ps1 -Output D:\evidence -NoDumps
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding()]
param(
    [string] $Package,
    [string] $Output = "$env:SystemDrive\DriverReports",
    [switch] $NoDumps
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module -Name "$PSScriptRoot\Driver.psm1" -Force

# Copies files, or says that there are none.
function Copy-Found {
    param([string] $Path, [string] $To)
    if (Test-Path -Path $Path) {
        Copy-Item -Path $Path -Destination $To -Recurse -Force
        Write-Host "  $Path"
    } else {
        Write-Host "  none: $Path"
    }
}

# Writes what a program prints into a file. That it fails is worth knowing too.
function Save-Output {
    param([string] $To, [string] $Program, [string[]] $Arguments)
    $lines = @(& {
        $ErrorActionPreference = 'Continue'
        & $Program @Arguments 2>&1 | ForEach-Object { "$_" }
        "exit code $LASTEXITCODE"
    })
    Set-Content -Path $To -Value $lines -Encoding UTF8
    Write-Host "  $Program $($Arguments -join ' ')"
}

try {
    Write-Step 'the package'
    $driver = Get-Package -Folder $Package
    New-Item -ItemType Directory -Path $Output -Force | Out-Null
    $folder = Join-Path -Path $Output -ChildPath 'collected'
    if (Test-Path -LiteralPath $folder) {
        Remove-Item -LiteralPath $folder -Recurse -Force
    }
    New-Item -ItemType Directory -Path $folder | Out-Null

    Write-Step 'files'
    Copy-Found -Path "$env:SystemRoot\INF\setupapi.dev.log" -To $folder
    Copy-Found -Path (Join-Path -Path $Output -ChildPath 'trace.*') -To $folder
    if (-not $NoDumps) {
        Copy-Found -Path "$env:SystemRoot\MEMORY.DMP" -To $folder
        Copy-Found -Path "$env:SystemRoot\Minidump\*.dmp" -To $folder
    }

    Write-Step 'logs'
    $logs = @{ 'system' = 'System'; 'code-integrity' = 'Microsoft-Windows-CodeIntegrity/Operational' }
    foreach ($name in $logs.Keys) {
        $file = Join-Path -Path $folder -ChildPath "$name.evtx"
        Invoke-Tool -Path 'wevtutil.exe' -Arguments 'export-log', $logs[$name], $file | Out-Null
    }

    Write-Step 'states'
    Save-Output -To "$folder\verifier.txt" -Program 'verifier.exe' -Arguments '/query'
    Save-Output -To "$folder\verifier-settings.txt" -Program 'verifier.exe' -Arguments '/querysettings'
    Save-Output -To "$folder\boot.txt" -Program 'bcdedit.exe' -Arguments '/enum'
    Save-Output -To "$folder\drivers.txt" -Program 'pnputil.exe' -Arguments '/enum-drivers'
    Save-Output -To "$folder\loaded.txt" -Program 'driverquery.exe' -Arguments '/v'
    Save-Output -To "$folder\service.txt" -Program 'reg.exe' -Arguments 'query', "HKLM\SYSTEM\CurrentControlSet\Services\$($driver.Service)", '/s'
    Save-Output -To "$folder\windows.txt" -Program 'cmd.exe' -Arguments '/c', 'ver'
    Get-Device -Driver $driver | Format-List -Property * | Out-String | Set-Content -Path "$folder\devices.txt" -Encoding UTF8

    Write-Step 'the archive'
    $archive = Join-Path -Path $Output -ChildPath 'collected.zip'
    if (Test-Path -LiteralPath $archive) {
        Remove-Item -LiteralPath $archive
    }
    # Not Compress-Archive, which refuses files of more than 2 GB: a dump of the kernel may have more.
    Invoke-Tool -Path "$env:SystemRoot\System32\tar.exe" -Arguments '-a', '-c', '-f', $archive, '-C', $Output, 'collected' | Out-Null
    Remove-Item -LiteralPath $folder -Recurse -Force
    Write-Host "  $archive"
    exit 0
} catch {
    Write-Failure $_
    exit 1
}
